"""Writes small cases with sizes and options that the reference cases of the official codes do not have.

usage: odd_cases.py FOLDER [MODEL...]      then: build/fieldcast verify FOLDER/*
A line below: variant, shape, batch, then arguments (key=value) and inputs to leave out (-name).
"""
import os
import sys

import torch

import models
import prepare

ODD = {
    "factformer": """
        kolmogorov2d 7,5 1 heads=1 depth=1 dim_head=6
        kolmogorov2d 5,16 3 max_latent_steps=1 out_time_window=1 in_time_window=1 dim=32
        kolmogorov2d 9,9 2 kernel_multiplier=5 dim_head=4 out_dim=2 latent_multiplier=3.0 dim=24
    """,
    "transolver": """
        irregular 1 1 n_head=1 n_layers=1 slice_num=1
        irregular 7 3 n_head=3 n_hidden=15 slice_num=9 act="tanh" fun_dim=0
        irregular 130 1 unified_pos=true ref=2 mlp_ratio=4 out_dim=3 n_layers=3
        irregular 37 2 Time_Input=true space_dim=3 fun_dim=5 n_hidden=9 n_head=1 act="silu"
        irregular 23 2 n_hidden=14 n_head=4 act="softplus" slice_num=3
        structured_2d 1,9 1 n_head=1
        structured_2d 5,3 3 n_head=4 n_layers=1 act="relu" mlp_ratio=3
        structured_2d 17,2 2 unified_pos=true ref=2 fun_dim=0 Time_Input=true out_dim=2 act="ELU"
        structured_2d 8,8 1 slice_num=33 n_head=8 n_hidden=8
        structured_3d 3,5,7 1 fun_dim=2 n_head=3 n_hidden=12 act="sigmoid"
        structured_3d 2,1,4 3 unified_pos=true ref=2 n_layers=1
        structured_3d 4,4,4 2 fun_dim=0 Time_Input=true n_hidden=11 n_head=1
        nsl_irregular 29 2 unified_pos=1 time_input=true
        nsl_irregular 12 3 n_heads=1 n_layers=1 fun_dim=0
        nsl_structured_1d 19 2 unified_pos=1 ref=5
        nsl_structured_1d 8 1 n_layers=1 n_heads=1 time_input=true
        nsl_structured_2d 6,11 1 n_heads=4 fun_dim=3 out_dim=2
        nsl_structured_3d 3,4,5 2 unified_pos=1 ref=2 time_input=true
        airfrans 61 1 unified_pos=true ref=4 n_head=1
        airfrans 17 1 n_layers=1 mlp_ratio=2 -pos
        car 53 1 n_head=4 slice_num=7 -pos
    """,
    "gnot": """
        moe 1,1 1 n_head=1 n_layers=1 n_experts=1
        moe 23,9,14 3 branch_sizes=[2,5] n_experts=2 n_inner=4 mlp_layers=3 act="silu"
        moe 17,40 2 n_head=4 n_experts=5 space_dim=3 columns=3 trunk_size=3 mlp_layers=0
        moe 30 1 branch_sizes=null space_dim=1 columns=1 n_hidden=9 n_head=1 n_inner=1
        moe 11,7 3 columns=4 trunk_size=6 output_size=3 n_head=3 act="relu"
        moe 8,5,6,7,9 2 branch_sizes=[1,2,3,4] n_layers=3 act="tanh"
        cgpt 13,21 3 n_head=1 n_inner=2 mlp_layers=1
        cgpt 9 2 branch_sizes=null horiz_fourier_dim=1 trunk_size=2
        cgpt 10,3,5 1 branch_sizes=[4,1] horiz_fourier_dim=3 n_layers=1 n_head=4
        cgpt 31,1 2 mlp_layers=0 output_size=4 act="sigmoid"
        nsl 7,5 1 n_heads=1 n_layers=1
        nsl 3,8 3 unified_pos=1 ref=4 time_input=true fun_dim=0
        nsl 6,4,3 2 geotype="structured_3D" space_dim=3 n_heads=4 mlp_ratio=1
        nsl 19 2 geotype="unstructured" unified_pos=1 n_heads=3 out_dim=2
    """,
    "mano": """
        recovered 8,8 1 heads=1 dim_head=12 depth=1
        recovered 8,8 3 heads=3 dim_head=5 mlp_dim=7 channels=1
        recovered 27,27 1 att_sampling_rate=3 local_attention_span=3 local_attention_stride=3
        recovered 16,32 2 att_sampling="avg_pool" dim=8 heads=2 dim_head=4
        recovered 18,6 1 att_sampling_rate=3 image_size=6 local_attention_span=2 local_attention_stride=1
        recovered 16,16 1 local_attention_span=2 local_attention_stride=1 channels=4
        recovered 4,4 2 local_attention_stride=1 channel_scale=3 dim=5 heads=1 dim_head=5
        recovered_half_head 12,12 2 local_attention_span=3 local_attention_stride=3 image_size=12 dim=9
        recovered_half_head 10,20 1 image_size=10 att_sampling_rate=5 depth=1 att_sampling="avg_pool"
        recovered_half_head 32,8 1 image_size=8 heads=4 dim_head=2 depth=3
    """,
    "pde_transformer": """
        mixed_channels 8,8 1 depth=[1,1,1] num_heads=1
        mixed_channels 24,40 3 depth=[2,3,2] num_heads=4 in_channels=1 out_channels=3 -timestep
        mixed_channels 16,48 1 depth=[1,2,2,2,1] window_size=5 hidden_size=6 mlp_ratio=1 -class_labels
        mixed_channels 32,16 2 periodic=false depth=[2,2,2]
        mixed_channels 16,16 2 periodic=false depth=[2,2,2] window_size=8 -timestep -class_labels
        mixed_channels 48,32 1 patch_size=4 depth=[2,1,2] window_size=3 num_heads=8 hidden_size=16
        mixed_channels 32,32 1 depth=[1,1,1,1,1,1,2] hidden_size=4 patch_size=1
        separate_channels 1,16,16 1 depth=[2,1,2] num_heads=1
        separate_channels 4,8,24 3 depth=[1,2,2] num_timesteps=1
        separate_channels 3,16,32 2 periodic=false depth=[2,2,2] num_timesteps=3
        separate_channels 2,40,24 1 window_size=6 hidden_size=12 num_heads=3 depth=[2,1,1] mlp_ratio=4
        separate_channels_carrier 1,16,16 1 num_heads=1
        separate_channels_carrier 3,32,16 2 depth=[2,2,1] num_timesteps=1 mlp_ratio=3
    """,
    "ifactformer_m": """
        m_head 3,4,5 1 heads=1 n_layer=1 dim_head=2
        m_head 7,1,6 3 n_layer=4 in_dim=1 out_dim=2
        m_head 5,9,2 2 depth=3 in_time_window=3 in_dim=2 dim_head=6
        m_head 4,4,4 1 kernel_multiplier=5 scaling_factor=1.0
        m_head 6,5,4 2 kernel_multiplier=2 dim=18 in_dim=9 heads=5
        m_feb2025 5,3,8 1 n_layer=1 heads=1
        m_feb2025 4,6,3 3 depth=2 in_time_window=2
        o_head 3,7,5 1 heads=1
        o_head 6,2,4 3 depth=2 n_layer=3 in_dim=2 out_dim=1
        m_head 7,5 2 depth=2 in_dim=2
        o_head 4,9 1 heads=3 in_time_window=2
    """,
    "fno": """
        neuralop 16 1 n_modes=[5] norm="instance_norm"
        neuralop 11 3 n_modes=[12] positional_embedding=null stabilizer="tanh"
        neuralop 9,14 1 n_modes=[3,7] n_layers=1 fno_skip="identity" channel_mlp_skip="identity"
        neuralop 7,7 3 n_modes=[7,7] norm="group_norm" norm_groups=4 channel_mlp_expansion=1.0
        neuralop 8,6 2 n_modes=[8,6] hidden_channels=5 in_channels=1 out_channels=3 channel_mlp_skip="linear"
        neuralop 5,4 1 n_modes=[9,3] use_channel_mlp=false enforce_hermitian_symmetry=false n_layers=3
        neuralop 10,12 2 n_modes=[4,4] domain_padding=0.25 norm="instance_norm"
        neuralop 13,8 1 n_modes=[6,6] domain_padding=[0.1,0.3] fno_skip="soft-gating" lifting_channel_ratio=1
        neuralop 4,6,5 2 n_modes=[2,6,4] channel_mlp_expansion=2.0
        neuralop 5,3,8 1 n_modes=[6,5,3] n_layers=1 hidden_channels=3
        nsl 21 2 modes=4 time_input=true
        nsl 16 1 modes=9 unified_pos=1 fun_dim=0
        nsl 16,32 1 modes=5 unified_pos=1
        nsl 7,18 3 modes=8 n_hidden=3 fun_dim=2 out_dim=2
        nsl 3,4,5 2 modes=2 unified_pos=1 ref=2
        nsl 17,2,6 1 modes=6 n_hidden=2 time_input=true fun_dim=0
    """,
    "itransformer": """
        official 17,1 1 n_heads=1 e_layers=1
        official 31,9 3 d_model=15 n_heads=5 d_ff=7 activation="relu" pred_len=1
        official 24,4 2 use_norm=false freq="t" e_layers=3
        official 1,3 2 -x_mark_enc
        tslib 50,2 1 freq="w" pred_len=33
        tslib 12,21 3 freq="m" n_heads=2 activation="relu"
        tslib 9,5 2 -x_mark_enc use_norm=0
    """,
    "patchtst": """
        official 21,1 1 n_heads=1 e_layers=1
        official 33,5 3 padding_patch="None" d_model=15 n_heads=3 d_ff=7 pred_len=1
        official 40,2 2 padding_patch=null revin=0 individual=1
        official 17,4 1 affine=1 stride=7 patch_len=5
        official 36,3 3 subtract_last=1 e_layers=4 patch_len=16 stride=8
        official 24,2 1 decomposition=1 kernel_size=9 n_heads=2
        official 29,3 2 decomposition=1 affine=1 individual=1 revin=1 padding_patch="none" kernel_size=25
        official 8,2 2 patch_len=12 stride=6
        official 96,7 2 patch_len=16 stride=8 d_model=32 n_heads=16 pred_len=24
        official 26,2 3 affine=1 revin=0 subtract_last=1 individual=1
        tslib 21,1 1 n_heads=1 e_layers=1
        tslib 33,5 3 d_model=15 n_heads=3 activation="relu" pred_len=1
        tslib 50,2 2 patch_len=16 stride=8 e_layers=3
        tslib 10,3 1 patch_len=12 stride=5
    """,
    "dlinear": """
        tslib 17,1 1
        tslib 8,5 3 moving_avg=25 pred_len=1
        tslib 31,3 2 individual=true moving_avg=1
        tslib 12,1 2 individual=true pred_len=30
    """,
    "samformer": """
        official 17,1 1
        official 31,9 3 hid_dim=3 pred_horizon=1
        official 8,2 2 use_revin=false hid_dim=1
        official 60,21 1 pred_horizon=33
    """,
    "informer": """
        tslib 1 1 n_heads=1 e_layers=1 d_ff=8
        tslib 5 3 seq_len=31 label_len=9 pred_len=5 e_layers=3 d_layers=2 n_heads=4
        tslib 2 2 embed="fixed" freq="t" activation="relu" distil=false
        tslib 4 1 embed="learned" freq="h" seq_len=17 label_len=17
        tslib 3 2 freq="d" label_len=0 pred_len=13
        tslib 2 1 seq_len=9 label_len=4 pred_len=1 e_layers=3 freq="m"
        informer2020 1 1 n_heads=1 e_layers=1
        informer2020 5 3 seq_len=31 label_len=9 out_len=5 e_layers=3 d_layers=2 n_heads=4 c_out=2
        informer2020 2 2 embed="fixed" freq="t" activation="relu" distil=false mix=false
        informer2020 4 1 attn="full" embed="learned" seq_len=17
        informer2020 3 2 attn="full" mix=false freq="w" d_layers=3
        informer2020_stack 3 2 e_layers=[3,2,1] seq_len=37 label_len=11
        informer2020_stack 1 1 e_layers=[2] embed="fixed"
        informer2020_stack 2 3 e_layers=[1,1] distil=false attn="full" freq="s"
    """,
    "etsformer": """
        tslib 1 1 n_heads=1 e_layers=1 top_k=1
        tslib 5 3 seq_len=31 pred_len=5 e_layers=3 n_heads=4 top_k=5 activation="gelu"
        tslib 2 2 embed="fixed" freq="t" activation="relu" label_len=3
        tslib 3 1 embed="learned" seq_len=8 pred_len=20
        tslib 4 2 seq_len=3 pred_len=1 freq="d" top_k=1
        tslib 2 1 seq_len=50 pred_len=11 top_k=24 d_model=6 freq="m"
        official 1 1 n_heads=1 e_layers=1 K=1
        official 5 3 seq_len=31 pred_len=5 e_layers=3 n_heads=4 K=4 activation="gelu"
        official 2 2 K=0 seq_len=9
        official 3 1 seq_len=8 pred_len=30 activation="relu"
    """,
    "tft": """
        tslib 1 1 n_heads=1
        tslib 3 3 seq_len=9 pred_len=13 label_len=0 n_heads=4
        tslib 5,2 2 d_model=6 n_heads=3 freq="t"
        tslib 2,1 1 embed="fixed" freq="h" d_model=10 n_heads=5
        tslib 2,3 2 embed="learned" freq="t" seq_len=5 pred_len=1
        tslib 1,1 3 freq="m" label_len=4 d_model=4 n_heads=1
        tslib 4 1 freq="w" seq_len=33 pred_len=2 d_model=12 n_heads=2
        pytorch_forecasting 7,4 1 attention_head_size=1
        pytorch_forecasting 5,6,1 3 lstm_layers=3 hidden_size=9 attention_head_size=3 hidden_continuous_size=9
        pytorch_forecasting 8,3,1 2 share_single_variable_networks=true causal_attention=false output_size=7
        pytorch_forecasting 4,2 2 static_categoricals=[] static_reals=[] hidden_continuous_sizes={"price":3,"target":15}
        pytorch_forecasting 6,5,1 4 embedding_sizes={"store":[4,2],"month":[12,20]} embedding_paddings=["store"] hidden_size=8
        pytorch_forecasting 1,1 2 time_varying_categoricals_decoder=[] time_varying_reals_decoder=["price"] output_size=1
    """,
    "pathformer": """
        official 7,1 1 k=1 num_experts_list=[1] patch_size_list=[[7]] d_model=2
        official 8,1 3 k=1 num_experts_list=[2] patch_size_list=[[8,1]] d_ff=1
        official 12,2 3 k=3 patch_size_list=[[3,4,6]] residual_connection=0 revin=0
        official 9,5 7 patch_size_list=[[3,9,1]] d_model=6 pred_len=1
        official 24,3 1 layer_nums=2 num_experts_list=[2,3] patch_size_list=[[12,6],[4,3,2]] d_model=2
        official 16,2 5 batch_norm=1 patch_size_list=[[8,4,2]] d_ff=9 pred_len=20
        official 15,4 4 k=1 batch_norm=1 residual_connection=0 patch_size_list=[[3,5,15]]
        official 24,2 16 k=4 layer_nums=3 num_experts_list=[4,5,4] patch_size_list=[[24,12,8,6],[6,4,3,2,1],[2,3,4,6]]
    """,
}


def write(folder, model, line, seed):
    variant, shape, batch, *words = line.split()
    args = {"variant": variant, **models.get(model).VARIANTS[variant]}
    args.update(prepare.setting(w) for w in words if not w.startswith("-"))
    torch.manual_seed(seed)
    prepare.write_case(folder, model, args, [int(n) for n in shape.split(",")], int(batch),
                       [w[1:] for w in words if w.startswith("-")])


def main(folder, *names):
    torch.set_num_threads(1)
    for model in names or models.MODELS:
        for i, line in enumerate(ODD[model].strip().splitlines()):
            name = "%s-odd-%02d" % (model, i)
            print(name, line.strip(), flush=True)
            write(os.path.join(folder, name), model, line, 1000 + i)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
